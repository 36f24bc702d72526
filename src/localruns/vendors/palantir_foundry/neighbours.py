"""Operations beside the emulated one: known, and not served.

**Source**: foundry-platform-sdk 1.111.0, namespace `models` and its OAuth2 helpers.
"""

from __future__ import annotations

from localruns.engine.vendor import Neighbour

_MODELS = "/api/v2/models"
# A fixed segment wins over a variable one on the platform, and every model RID begins with `ri.`.
_MODEL = _MODELS + "/ri.{model}"
_EXPERIMENT = _MODEL + "/experiments/{experimentRid}"
_STUDIO = _MODELS + "/modelStudios/{modelStudioRid}"
_DEPLOYMENT = _MODELS + "/liveDeployments"

NEIGHBOURS = tuple(
    Neighbour(name, method, path)
    for name, method, path in (
        ("ModelStudio.create", "POST", _MODELS + "/modelStudios"),
        ("ModelStudio.get", "GET", _STUDIO),
        ("ModelStudio.launch", "POST", _STUDIO + "/launch"),
        ("ModelStudio.ConfigVersion.create", "POST", _STUDIO + "/configVersions"),
        ("ModelStudio.ConfigVersion.list", "GET", _STUDIO + "/configVersions"),
        ("ModelStudio.ConfigVersion.latest", "GET", _STUDIO + "/configVersions/latest"),
        ("ModelStudio.ConfigVersion.get", "GET", _STUDIO + "/configVersions/{version}"),
        ("ModelStudioTrainer.list", "GET", _MODELS + "/modelStudioTrainers"),
        ("ModelStudioTrainer.get", "GET", _MODELS + "/modelStudioTrainers/{trainerId}"),
        ("LiveDeployment.create", "POST", _DEPLOYMENT),
        ("LiveDeployment.list", "GET", _DEPLOYMENT),
        ("LiveDeployment.get", "GET", _DEPLOYMENT + "/{liveDeploymentRid}"),
        ("LiveDeployment.replace", "PUT", _DEPLOYMENT + "/{liveDeploymentRid}"),
        ("LiveDeployment.disable", "POST", _DEPLOYMENT + "/{liveDeploymentRid}/disable"),
        ("LiveDeployment.start", "POST", _DEPLOYMENT + "/{liveDeploymentRid}/start"),
        ("LiveDeployment.transform_json", "POST", _DEPLOYMENT + "/{liveDeploymentRid}/transformJson"),
        ("Model.create", "POST", _MODELS),
        ("Model.get", "GET", _MODEL),
        ("Model.promote_version", "POST", _MODEL + "/promoteVersion"),
        ("Model.Version.create", "POST", _MODEL + "/versions"),
        ("Model.Version.list", "GET", _MODEL + "/versions"),
        ("Model.Version.get", "GET", _MODEL + "/versions/{modelVersionRid}"),
        ("Model.Function.create", "POST", _MODEL + "/function"),
        ("Model.Function.get", "GET", _MODEL + "/function"),
        ("Model.Function.replace", "PUT", _MODEL + "/function"),
        ("Model.Experiment.get", "GET", _EXPERIMENT),
        ("Model.Experiment.search", "POST", _MODEL + "/experiments/search"),
        ("Model.Experiment.Series.json", "GET", _EXPERIMENT + "/series/{name}/json"),
        ("Model.Experiment.Series.parquet", "GET", _EXPERIMENT + "/series/{name}/parquet"),
        ("Model.Experiment.ArtifactTable.json", "GET", _EXPERIMENT + "/artifactTables/{name}/json"),
        ("Model.Experiment.ArtifactTable.parquet", "GET", _EXPERIMENT + "/artifactTables/{name}/parquet"),
        ("Authorize", "GET", "/multipass/api/oauth2/authorize"),
    )
)
