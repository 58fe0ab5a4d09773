"""What goes in each image: packages, and settings like those of the image that registries have by that name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BASE = (
    *("base-files", "base-passwd", "libc-bin"),
    *("coreutils", "dash", "findutils", "grep", "hostname", "sed", "util-linux"),
)
"""A shell, the usual commands and `setpriv`, by which an entrypoint becomes the service's user."""

APPLETS = shlex.split(
    "ash awk base64 basename cat chmod chown chgrp cp cut date dd df diff dirname dmesg du echo "
    "env expr false find free grep gunzip gzip head hostname httpd id ifconfig ip kill killall "
    "ln logger ls md5sum mkdir mkfifo mknod mktemp more mount mv nc netstat nohup nslookup od "
    "paste ping pgrep pkill printenv printf ps pwd readlink realpath rm rmdir route sed seq sh "
    "sha256sum sleep sort stat strings stty su sync tail tar tee telnet test time timeout top "
    "touch tr traceroute true tty umount uname uniq unlink uptime vi watch wc wget which whoami "
    "xargs yes"
)
"""Of busybox, each a link to it."""

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NEVER_RUN = re.compile(
    r"(?:lib)?perl|.*-perl$|usrmerge$|debconf$|ucf$|adduser$|libllvm|libz3-|dpkg$"
)
"""Packages that only the scripts of others need, and PostgreSQL's compiler."""


@dataclass(frozen=True)
class Recipe:
    """An image.

    Attributes
    ----------
    versioned : str
        The package whose version is the image's tag.
    config : Mapping
        The image's own settings, in the words of the OCI image specification.
    user : tuple, optional
        The service's account where Debian's base has none: name, number of the user and of its group, home.
    files : Mapping
        Paths in the image, and the file of `files/` that goes there; `.sh` ones can be executed.
    folders : Mapping
        Paths, with mode and owner.
    on_base : bool
        Whether it lies on the layer that the others share.
    reference : str
        The image's whole name, where a program asks for it by that one.
    """

    name: str
    versioned: str
    packages: tuple[str, ...]
    config: Mapping[str, Any]
    user: tuple[str, int, str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    on_base: bool = True
    reference: str = ""

    def leaves_out(self, package: str) -> bool:
        """Return whether a package that others depend on is of no use in the image."""
        return _NEVER_RUN.match(package) is not None


def _config(
    command: str, *, port: int = 0, env: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    """Return an image's settings; a command is split at its spaces, but for nginx's quoted one."""
    ports = {"ExposedPorts": {f"{port}/tcp": {}}} if port else {}
    path = [] if any(value.startswith("PATH=") for value in env) else [_PATH]
    return {"Env": [*path, *env], "Cmd": shlex.split(command), **ports, **more}


ENTRYPOINT = "docker-entrypoint.sh"
WWW_DATA = 33
MYSQL, POSTGRES, REDIS = 999, 998, 997
_START = {"Entrypoint": [f"/usr/local/bin/{ENTRYPOINT}"]}

RECIPES = (
    Recipe(
        "busybox",
        "busybox-static",
        ("busybox-static",),
        _config("sh"),
        files={"etc/passwd": "busybox-passwd", "etc/group": "busybox-group"},
        links={f"usr/bin/{applet}": "busybox" for applet in APPLETS},
        folders={"tmp": (0o1777, 0), "root": (0o700, 0), "home": (0o755, 65534)},
        on_base=False,
    ),
    Recipe(
        "nginx",
        "nginx",
        ("nginx-light", "media-types"),
        _config("nginx -g 'daemon off;'", port=80, StopSignal="SIGQUIT"),
        files={"etc/nginx/conf.d/default.conf": "nginx.conf"},
        links={
            "var/log/nginx/access.log": "/dev/stdout",
            "var/log/nginx/error.log": "/dev/stderr",
        },
        folders={"var/lib/nginx": (0o755, WWW_DATA)},
    ),
    Recipe(
        "redis",
        "redis-server",
        ("redis-server", "redis-tools"),
        _config("redis-server", port=6379, Volumes={"/data": {}}, WorkingDir="/data", **_START),
        user=("redis", REDIS, "/data"),
        files={f"usr/local/bin/{ENTRYPOINT}": "redis.sh"},
        folders={"data": (0o755, REDIS)},
    ),
    Recipe(
        "mariadb",
        "mariadb-server",
        ("mariadb-server", "mariadb-client"),
        _config("mariadbd", port=3306, Volumes={"/var/lib/mysql": {}}, **_START),
        user=("mysql", MYSQL, "/nonexistent"),
        files={
            f"usr/local/bin/{ENTRYPOINT}": "mariadb.sh",
            "etc/mysql/my.cnf": "mariadb.cnf",
        },
        folders={"var/lib/mysql": (0o755, MYSQL), "run/mysqld": (0o755, MYSQL)},
    ),
    Recipe(
        "postgres",
        "postgresql-15",
        ("postgresql-15", "postgresql-client-15"),
        _config(
            "postgres",
            port=5432,
            env=(
                "PGDATA=/var/lib/postgresql/data",
                "LANG=C.UTF-8",
                _PATH.replace("=", "=/usr/lib/postgresql/15/bin:", 1),
            ),
            Volumes={"/var/lib/postgresql/data": {}},
            StopSignal="SIGINT",
            **_START,
        ),
        user=("postgres", POSTGRES, "/var/lib/postgresql"),
        files={f"usr/local/bin/{ENTRYPOINT}": "postgres.sh"},
        folders={
            "var/lib/postgresql": (0o755, POSTGRES),
            "var/lib/postgresql/data": (0o700, POSTGRES),
            "run/postgresql": (0o775, POSTGRES),
        },
    ),
    Recipe(
        "wordpress",
        "wordpress",
        (
            "wordpress",
            "wordpress-theme-twentytwentythree",
            "libapache2-mod-php8.2",
            *(f"php8.2-{name}" for name in ("mysql", "gd", "xml", "mbstring", "opcache")),
        ),
        _config(
            "apache2 -DFOREGROUND",
            port=80,
            Volumes={"/var/lib/wordpress/wp-content": {}},
            WorkingDir="/usr/share/wordpress",
            StopSignal="SIGWINCH",
        ),
        files={
            "etc/apache2/apache2.conf": "apache2.conf",
            "etc/wordpress/config-default.php": "wordpress.php",
            "etc/php/8.2/apache2/conf.d/wordpress.ini": "wordpress.ini",
        },
        folders={
            "run/apache2": (0o755, 0),
            "run/lock": (0o1777, 0),
            "var/lib/wordpress/wp-content": (0o755, WWW_DATA),
            "var/lib/wordpress/wp-content/uploads": (0o755, WWW_DATA),
        },
    ),
    # Kubernetes' own suite asks it for names: with `dig`, and with `getent` of the base's C library.
    Recipe(
        "glibc-dns-testing",
        "bind9-dnsutils",
        ("bind9-dnsutils",),
        _config("sh"),
        reference="registry.k8s.io/e2e-test-images/glibc-dns-testing:2.1.1",
    ),
)
