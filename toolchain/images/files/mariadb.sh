#!/bin/sh
# Root hands the data over to the service's user and becomes it; an empty data folder gets its tables, users and database.
#
#   MARIADB_ROOT_PASSWORD  MARIADB_DATABASE  MARIADB_USER  MARIADB_PASSWORD   (or MYSQL_…)
set -e

data=/var/lib/mysql
made=$data/.made

setting() {
    eval "printf %s \"\${MARIADB_$1:-\$MYSQL_$1}\""
}

statements() {
    echo "FLUSH PRIVILEGES;"
    echo "ALTER USER root@localhost IDENTIFIED BY '$(setting ROOT_PASSWORD)';"
    echo "CREATE USER root@'%' IDENTIFIED BY '$(setting ROOT_PASSWORD)';"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    if [ -n "$(setting DATABASE)" ]; then
        echo "CREATE DATABASE IF NOT EXISTS \`$(setting DATABASE)\`;"
    fi
    if [ -n "$(setting USER)" ]; then
        echo "CREATE USER '$(setting USER)'@'%' IDENTIFIED BY '$(setting PASSWORD)';"
        echo "GRANT ALL ON \`$(setting DATABASE)\`.* TO '$(setting USER)'@'%';"
    fi
}

if [ "${1#-}" != "$1" ]; then
    set -- mariadbd "$@"
fi
if [ "$1" = mariadbd ] && [ "$(id -u)" = 0 ]; then
    chown -R mysql:mysql "$data" /run/mysqld
    exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi
if [ "$1" = mariadbd ] && [ ! -e "$made" ]; then
    if [ -z "$(setting ROOT_PASSWORD)" ]; then
        echo "the data folder is empty: MARIADB_ROOT_PASSWORD must be set" >&2
        exit 1
    fi
    find "$data" -mindepth 1 -delete
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db > /dev/null
    statements | mariadbd --bootstrap
    touch "$made"
fi
exec "$@"
