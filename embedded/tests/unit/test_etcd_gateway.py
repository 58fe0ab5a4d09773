"""What etcd's JSON gateway is asked and what it answers."""

from __future__ import annotations

import json

import pytest

from embedded_kubernetes.control import etcd_gateway


def test_a_key_is_asked_for_in_base64() -> None:
    assert json.loads(etcd_gateway.request("/registry/a")) == {"key": "L3JlZ2lzdHJ5L2E="}


def test_answers_are_values_or_nothing() -> None:
    head = {"header": {"revision": "3"}}
    assert etcd_gateway.value(json.dumps({**head, "kvs": [{"value": "azhz"}]})) == b"k8s"
    assert etcd_gateway.value(json.dumps(head)) is None
    with pytest.raises(ValueError, match="denied"):
        etcd_gateway.value('{"code": 7, "message": "permission denied"}')
