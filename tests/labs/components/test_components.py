"""The parts of a cluster, from recordings made by hand."""

from __future__ import annotations

from dataclasses import replace

from drawings import boxes, made

from k8s_helpers import labs
from k8s_helpers.labs.components.summary import to_story as components_story
from k8s_helpers.measure.recording import Recording

PLANE = dict.fromkeys(("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"), True)
NODE = {
    "name": "n1",
    "ready": True,
    "kubelet": "v1.37.0",
    "runtime": "containerd://2",
    "kernel": "6",
}


def parts(**plane: bool | None) -> Recording:
    health = PLANE | {name.replace("_", "-"): up for name, up in plane.items()}
    return made(
        "components",
        plane=health,
        addons={"kube-dns": True, "kube-proxy": True},
        nodes=[NODE],
        checks=3,
        failed_checks=[],
    )


def test_a_part_that_is_down_stands_out() -> None:
    chart = labs.components.draw(parts(kube_scheduler=False))
    (down,) = [box for text, box in boxes(chart).items() if "✘" in text]
    assert "kube-scheduler" in down.get_label()
    assert down.get_linestyle() == "--"
    assert "kube-scheduler ne va pas bien" in chart.alternative
    assert components_story(parts(kube_scheduler=False)).verdicts["kube-scheduler.healthy"] is False
    assert "tout va bien" in labs.components.draw(parts()).alternative


def test_a_part_of_which_nobody_says_anything_is_not_said_to_be_well() -> None:
    words = labs.components.draw(parts(etcd=None)).alternative
    assert "etcd inconnu" in words and "tout va bien" not in words


def test_on_the_embedded_cluster_the_course_s_agent_stands_for_the_node_s_programs() -> None:
    run = replace(parts().runs[0], parameters={**parts().runs[0].parameters, "addons": {}})
    for provider, own in (("embedded", True), ("existing", False)):
        chart = labs.components.draw(Recording("components", provider, "v1.37.0", (run,)))
        texts = " ".join(boxes(chart))
        assert ("agent du cours" in texts) == own
        assert ("rôle de CoreDNS" in texts) == own
        assert ("✔ kubelet v1.37.0" in texts) != own


def test_a_cloud_controller_manager_is_drawn_as_absent_unless_it_runs() -> None:
    assert any("absent" in text for text in boxes(labs.components.draw(parts())))
    run = parts().runs[0]
    addons = {**run.parameters["addons"], "cloud-controller-manager-aws": True}
    there = replace(run, parameters={**run.parameters, "addons": addons})
    chart = labs.components.draw(Recording("components", "existing", "v1.37.0", (there,)))
    assert not any("absent" in text for text in boxes(chart))
