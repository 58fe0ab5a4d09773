"""The definitions of Gateway API that the course installs."""

from __future__ import annotations

from pathlib import Path

import yaml

from k8s_helpers.providers import gateway_api

ROOT = Path(__file__).parents[2]
FILE = Path(gateway_api.__file__).with_name("manifests") / f"gateway-api-{gateway_api.VERSION}.yaml"
WATCHED_BY_TRAEFIK = {
    *("gatewayclasses", "gateways", "httproutes", "grpcroutes"),
    *("referencegrants", "backendtlspolicies", "tlsroutes"),
}
"""`WatchAll` of Traefik v3.7's provider: it serves no Gateway while one of them is missing."""


def test_every_kind_that_a_controller_waits_for_is_there_in_the_version_that_is_stored() -> None:
    definitions = list(yaml.safe_load_all(FILE.read_text("utf-8")))
    assert {one["spec"]["names"]["plural"] for one in definitions} == WATCHED_BY_TRAEFIK
    for one in definitions:
        (version,) = one["spec"]["versions"]
        assert version["served"] and version["storage"]
        assert one["metadata"]["annotations"]["gateway.networking.k8s.io/channel"] == "standard"
        assert (
            one["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"]
            == gateway_api.VERSION
        )


def test_the_version_is_the_one_that_the_tool_downloads_and_traefik_is_built_with() -> None:
    wanted = f"sigs.k8s.io/gateway-api {gateway_api.VERSION}"
    for module in ("gateway_api", "traefik"):
        assert wanted in (ROOT / "toolchain" / module / "go.mod").read_text("utf-8"), module
