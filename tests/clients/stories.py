"""Where each entry of the torture catalogue comes from, and what it does to clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localruns.engine.faults.pages import CATALOGUE


@dataclass(frozen=True)
class Told:
    """One entry.

    Shape: `story` the title of a public report; `link` its `owner/repository#number` and address; `note` what else it
    says; `naive` what becomes of a client that does not expect the entry, in words.
    """

    about: str
    good: str
    naive: str
    story: str
    link: tuple[str, str]
    note: str = ""


def _told(name: str, naive: str, story: str, where: str, note: str = "", about: str = "", good: str = "") -> Told:
    fault = CATALOGUE.get(name)
    about, good = (fault.about, fault.good_client) if fault else (about, good)
    repository, _, number = where.partition("#")
    kind, number = ("pull", number[1:]) if number.startswith("!") else ("issues", number)
    link = (f"{repository}#{number}", f"https://github.com/{repository}/{kind}/{number}")
    return Told(about, good, naive, story, link, note)


ENTRIES: Mapping[str, Told] = {
    "repeat_token": _told(
        "repeat_token",
        "asks for page 3 for ever",
        "Pagination never terminates for list_organizations",
        "oracle/oci-python-sdk#718",
    ),
    "fresh_token_same_rows": _told(
        "fresh_token_same_rows",
        "takes the same rows for ever; a guard against repeated tokens sees nothing",
        "Amplitude stuck in infinite loop generating duplicate events",
        "airbytehq/airbyte#13500",
    ),
    "always_next": _told(
        "always_next",
        "has all rows and goes on for ever",
        "stop infinite pagination loop on call_legs and calls",
        "airbytehq/airbyte#!81516",
    ),
    "empty_page_with_token": _told(
        "empty_page_with_token",
        "takes the empty page for the last and loses all that follows; one that looks at the token only is whole",
        "Fix Paginator dropping results on empty token pages",
        "databricks/databricks-sdk-java#!818",
        "97 of 99 pages were empty",
    ),
    "empty_first_page": _told(
        "empty_first_page",
        "takes it that there are no rows at all",
        "Fix Paginator dropping results on empty token pages",
        "databricks/databricks-sdk-java#!818",
        "97 of 99 pages were empty",
    ),
    "short_page": _told(
        "short_page",
        "takes a page that is not full for the last; one that looks at the token only is whole",
        "Only rely on next page token for pagination",
        "temporalio/sdk-java#!1886",
    ),
    "exact_boundary_token": _told(
        "exact_boundary_token",
        "asks once more than there are rows, and is whole; one that looks at a page's last row fails on the empty page",
        "pagination emits next_token at end-of-list",
        "getmoto/moto#9922",
    ),
    "empty_string_token": _told(
        "empty_string_token",
        "takes the empty text for a token, comes to page 1 again with it, and so for ever",
        "LocalStack returns HTML if nextToken is sent as an empty string",
        "localstack/localstack#969",
    ),
    "token_expired": _told(
        "token_expired",
        "gives up in the middle",
        "restart pagination on expired page token",
        "PostHog/posthog#!66928",
    ),
    "token_bound_to_filter": _told(
        "token_bound_to_filter",
        "sends its parameters with the first page only, and is refused at the second",
        "ListBlobsHierarchy doesn't return an error when invalid marker is passed in",
        "Azure/Azurite#1494",
    ),
    "token_truncated": _told(
        "token_truncated",
        "cuts the token to the width of its column and is refused; an offset or a short token always fitted",
        "ListBlobsHierarchy doesn't return an error when invalid marker is passed in",
        "Azure/Azurite#1494",
    ),
    "page_size_clamp": _told(
        "page_size_clamp",
        "asks for 50 and reckons with 50: stops after a page of 10, or asks for too few pages",
        "search_runs: client's silent 1000-run limit can mislead users",
        "mlflow/mlflow#15814",
    ),
    "page_size_drift": _told(
        "page_size_drift",
        "takes a page that is not full for the last; one that looks at the token only is whole",
        "Fix bug where streams that use record filtering do not paginate correctly",
        "airbytehq/airbyte-python-cdk#!484",
    ),
    "insert_before_cursor": _told(
        "insert_before_cursor",
        "keeps one row twice; one that counts rows against the first total loses another for it",
        "Duplicate/Missing Records",
        "OData/WebApi#1135",
        about="after page 2 a newest row is inserted, so page 3 repeats one",
        good="keeps each row once",
    ),
    "delete_at_cursor": _told(
        "delete_at_cursor",
        "loses a row and cannot know; one that waits for as many rows as the first total said asks for ever",
        "Support NextToken paging (page-number paging loses rows when data changes)",
        "aliyun/aliyun-cli#260",
        about="after page 2 a delivered row is deleted, so page 3 skips one",
        good="cannot know; the ledger names the missed row",
    ),
    "dup_across_pages": _told(
        "dup_across_pages",
        "keeps one row twice; one that counts rows or pages against the total loses another for it",
        "Druid Pageoffset Duplicate Result",
        "apache/druid#4559",
    ),
    "reorder_ties": _told(
        "reorder_ties",
        "has one row twice and another not at all, and the number is right",
        "Duplicate/Missing Records",
        "OData/WebApi#1135",
    ),
    "total_absent": _told(
        "total_absent",
        "fails where it reads the total",
        "Only rely on next page token for pagination",
        "temporalio/sdk-java#!1886",
    ),
    "total_stale": _told(
        "total_stale",
        "waits for rows that do not exist: asks for empty pages for ever",
        "Fix list function unable to exit normally",
        "turbot/steampipe-plugin-alicloud#!508",
        "empty middle page with TotalCount still set",
    ),
    "error_mid_walk": _told(
        "error_mid_walk",
        "gives up in the middle",
        "Like to propose the idea of infrastructure failures being added to moto",
        "getmoto/moto#722",
    ),
    "auth_expiry_mid_walk": _told(
        "auth_expiry_mid_walk",
        "gives up in the middle",
        "refresh access token on 401 so long-running syncs survive token expiry",
        "frappe/ecommerce_integrations#!442",
    ),
}
