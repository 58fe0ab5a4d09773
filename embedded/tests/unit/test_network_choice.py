"""Which network a new cluster's pods can have: asked of the kernel once, until it says otherwise."""

import pytest

from embedded_kubernetes.node import isolation

REFUSED = isolation.Refusal(1, "Operation not permitted", "clone")


class Kernel:
    """Answers trials, and counts them."""

    def __init__(self):
        self.refused = None
        self.asked = 0

    def __enter__(self):
        self.asked += 1
        return self

    def __exit__(self, *_):
        pass

    def refusals(self):
        return isolation.Refusals(None, self.refused)


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDDED_KUBERNETES_HOME", str(tmp_path))
    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path))
    for name in ("EMBEDDED_KUBERNETES_ISOLATION", "K8S_HELPERS_ISOLATION"):
        monkeypatch.delenv(name, raising=False)
    kernel = Kernel()
    monkeypatch.setattr(isolation, "Trial", lambda: kernel)
    return kernel


def choice():
    with isolation.network_chosen() as chosen:
        return chosen()


def test_what_was_allowed_once_is_not_asked_again(kernel):
    assert [choice(), choice()] == ["pods", "pods"]
    assert kernel.asked == 1


def test_a_refusal_is_asked_again(kernel):
    kernel.refused = REFUSED
    assert [choice(), choice()] == ["host", "host"]
    assert kernel.asked == 2
    kernel.refused = None
    assert choice() == "pods"


def test_a_node_that_meets_the_contrary_makes_the_next_start_ask(kernel):
    choice()
    isolation.forget_trial()
    kernel.refused = REFUSED
    assert choice() == "host"


def test_other_circumstances_are_asked_for(kernel, monkeypatch):
    choice()
    monkeypatch.setattr(isolation, "_circumstances", lambda: "another boot")
    assert choice() == "pods"
    assert kernel.asked == 2
