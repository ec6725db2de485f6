#!/bin/sh
# Make a virtual environment; where Debian left out python3-venv, install it if we may.
set -u
python=$1
venv=$2

"$python" -m venv "$venv" >/dev/null 2>&1 && exit 0
rm -rf "$venv"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
. "$(dirname "$0")/packages.sh"
if command -v apt-get >/dev/null 2>&1; then
    install_packages "python$version-venv" || install_packages python3-venv
fi
"$python" -m venv "$venv" && exit 0
rm -rf "$venv"
echo "flashpoint: can't make a virtual environment; install python$version-venv and try again" >&2
exit 2
