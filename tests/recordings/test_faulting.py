"""Which recorded errors become faults of a rebuilt scenario: not those that our own rules bring about."""

from __future__ import annotations

import pytest

from localruns.recordings.rebuilding.scenario import rebuild
from localruns.surfaces.http import App
from localruns.vendors import all_vendors
from tests.recordings.own import MakeApp, recorded

OURS = "/20260430/aiDataPlatforms/ocid1.aidataplatform.oc1.iad.localruns/workspaces/default/mlops"


@pytest.mark.parametrize("path", [f"{OURS}/api/2.0/mlflow", "/api/2.0/mlflow", "/ajax-api/2.0/mlflow"])
@pytest.mark.parametrize("wrong", [{"page_token": "of nobody"}, {"max_results": 0}, {"filter": "metrics.rmse <"}])
def test_what_our_rules_refuse_is_no_fault_at_mlflows_paths_either(
    make_app: MakeApp, path: str, wrong: dict[str, object]
) -> None:
    def use(app: App) -> None:
        client = app.test_client()
        for body in ({"experiment_ids": ["1"], **wrong}, {"experiment_ids": ["1"]}):
            assert client.post(f"{path}/runs/search", json=body, headers={"authorization": "Bearer x"}).data

    exchanges = recorded(make_app("quickstart"), use)
    assert [each.reply.status for each in exchanges] == [400, 200]
    made = rebuild(exchanges, "rebuilt", all_vendors())
    assert "\nfaults:" not in made.text
