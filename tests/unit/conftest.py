"""What all pure tests share: what one leaves open fails that one."""

from open_files import nothing_left_open  # noqa: F401 (a fixture of every test)
