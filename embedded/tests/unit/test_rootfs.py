"""Where a container's paths lie on this machine."""

import errno
from pathlib import Path

import pytest

from embedded_kubernetes.node.runtime.rootfs import inside


def test_links_lead_nowhere_but_within_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").symlink_to("/usr/../../other")
    assert inside("/etc/name", str(tmp_path)) == f"{tmp_path}/other/name"


def test_a_path_of_too_many_links_leads_nowhere(tmp_path: Path) -> None:
    # The kernel would follow the last ones from this machine's own root.
    for number in range(45):
        (tmp_path / f"link{number}").symlink_to(f"/link{number + 1}")
    with pytest.raises(OSError) as refused:
        inside("/link0", str(tmp_path))
    assert refused.value.errno == errno.ELOOP
