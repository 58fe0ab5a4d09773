import json
from dataclasses import replace

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control import control_plane
from embedded_kubernetes.node.network import addresses

CONFIG = ClusterConfig(
    "cours", "/c", "/r", 2, "v1.37.0", "/b", 20200, 20201, 20202, 20203, (20204, 20205)
)


def flags(spec: control_plane.ComponentSpec) -> dict[str, str]:
    return dict(
        word.removeprefix("--").partition("=")[::2] for word in spec.argv if word.startswith("--")
    )


def test_components_are_the_control_plane_and_each_node() -> None:
    names = [spec.name for spec in control_plane.components(CONFIG)]
    plane = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    assert names == [*plane, "cours-node-1", "cours-node-2"]
    assert [
        spec.name for spec in control_plane.components(replace(CONFIG, kubelet_ports=()))
    ] == plane


def test_etcd_listens_on_unix_sockets_only() -> None:
    given = flags(control_plane.etcd(CONFIG))
    urls = [value for name, value in given.items() if name.endswith("-urls")]
    assert len(urls) == 4
    assert all(url.startswith("unix:///r/") for url in urls)
    assert flags(control_plane.api_server(CONFIG))["etcd-servers"] == given["listen-client-urls"]


def test_the_api_server_listens_on_loopback_alone_and_lets_nobody_in_without_a_name() -> None:
    given = flags(control_plane.api_server(CONFIG))
    assert given["bind-address"] == "127.0.0.1"
    assert given["secure-port"] == "20200"
    assert given["anonymous-auth"] == "false"
    assert given["authorization-mode"] == "Node,RBAC"
    assert given["client-ca-file"] == "/c/pki/ca.crt"


def test_addresses_are_the_slots_own_and_node_ports_upstreams() -> None:
    given = flags(control_plane.api_server(CONFIG))
    assert given["service-cluster-ip-range"] == "127.98.0.0/16"
    assert given["service-node-port-range"] == "30000-32767"
    assert (
        flags(control_plane.controller_manager(CONFIG))["service-cluster-ip-range"]
        == "127.98.0.0/16"
    )


def test_the_api_server_connects_into_the_cluster_through_the_nodes_socket() -> None:
    given = flags(control_plane.api_server(CONFIG))
    assert given["egress-selector-config-file"] == "/c/egress.yaml"
    (selection,) = json.loads(control_plane.egress_selector(CONFIG))["egressSelections"]
    assert selection["name"] == "cluster"
    assert selection["connection"]["transport"] == {"uds": {"udsName": "/r/egress.sock"}}


def test_nodes_have_addresses_that_no_pod_and_no_other_cluster_has() -> None:
    shown = [CONFIG.node_shown(name) for name in CONFIG.node_names]
    assert shown == ["10.242.255.1", "10.242.255.2"]
    assert [CONFIG.node_address(name) for name in CONFIG.node_names] == [
        "127.242.255.1",
        "127.242.255.2",
    ]
    # A machine's worth of nodes leaves their block to them.
    assert addresses.BLOCKS * 21 <= 255


@pytest.mark.parametrize(
    "spec", [control_plane.controller_manager(CONFIG), control_plane.scheduler(CONFIG)]
)
def test_clients_open_no_port_and_elect_nobody(spec: control_plane.ComponentSpec) -> None:
    given = flags(spec)
    assert given["secure-port"] == "0"
    assert given["leader-elect"] == "false"
    assert given["kubeconfig"].startswith("/c/pki/")


def test_every_file_that_a_flag_names_is_one_that_pki_makes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from embedded_kubernetes import pki

    folder = tmp_path_factory.mktemp("cluster")
    config = replace(CONFIG, directory=str(folder))
    pki.ensure(config)
    for spec in control_plane.components(config):
        for value in flags(spec).values():
            if value.startswith(str(config.pki)):
                assert (config.pki / value.rpartition("/")[2]).is_file(), value


def test_a_node_is_started_with_its_cluster_and_name() -> None:
    argv = control_plane.node(CONFIG, "cours-node-2").argv
    assert argv[1:] == (
        "-P",
        "-m",
        "embedded_kubernetes.node",
        "--config",
        "/c",
        "--node",
        "cours-node-2",
    )


def test_logs_are_in_the_clusters_folder() -> None:
    assert str(control_plane.scheduler(CONFIG).log(CONFIG)) == "/c/logs/kube-scheduler.log"
