"""What a container leaves to say."""

from types import SimpleNamespace

import pytest

from embedded_kubernetes.node.pods.starts import termination_message
from embedded_kubernetes.node.records import Record

TIME = "2026-01-01T00:00:00.000000000Z"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (f"{TIME} stdout F one\n{TIME} stdout F two\n", "one\ntwo\n"),
        (f"{TIME} stdout F one\n{TIME} stdout P DONE\n", "one\nDONE"),
        (f"{TIME} stdout F \n", "\n"),
        ("", ""),
    ],
)
def test_after_an_error_the_end_of_the_log_stands_in(tmp_path, log, message):
    path = tmp_path / "0.log"
    path.write_text(log)
    spec = {"name": "main", "terminationMessagePolicy": "FallbackToLogsOnError"}
    record = Record(spec, "main")
    record.exited = {"exitCode": 1}
    container = SimpleNamespace(config=SimpleNamespace(log_path=path))
    assert termination_message(SimpleNamespace(folder=tmp_path), record, container) == message
    record.exited = {"exitCode": 0}
    assert termination_message(SimpleNamespace(folder=tmp_path), record, container) == ""
