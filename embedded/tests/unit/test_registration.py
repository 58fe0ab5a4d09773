"""What a node says of itself."""

from embedded_kubernetes.node.cri import ImageConfig
from embedded_kubernetes.node.images.store import Store
from embedded_kubernetes.node.registration import Registration


def test_a_store_that_cannot_be_read_stops_no_heartbeat():
    stores = [(ImageConfig("web:1", "sha256:0", ()),), OSError(5, "gone"), ()]

    def images():
        answer = stores.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    node = Registration(None, "node", None, {}, "namespaces", images)
    node._shown_images = shown = node._listed()
    assert [entry["names"] for entry in shown] == [["web:1"]]
    assert node._listed() == shown
    assert node._listed() == []


def test_an_image_that_is_being_removed_is_left_out(tmp_path):
    store = Store(tmp_path)
    store.name("gone:1", "0" * 16)
    assert store.built() == ()
