#!/bin/sh
# perf for the profile, tmux for the tests of the screen, and with the argument `tests` Chromium for
# those of what we export and strace for those of what a replay may do: install what is missing if we
# may, else say in one line what to type. Never fails: flashpoint runs without them.
set -u
. "$(dirname "$0")/packages.sh"

if ! perf version >/dev/null 2>&1; then
    packages=$(perf_packages)
    # shellcheck disable=SC2086 # several packages
    if ! install_packages $packages || ! perf version >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        echo "flashpoint: no perf, so there will be no flamegraph; to have one: $(install_command $packages)" >&2
    fi
fi
if ! command -v tmux >/dev/null 2>&1 && ! install_packages tmux; then
    echo "flashpoint: no tmux, so tests of the real screen can't run; to have it: $(install_command tmux)" >&2
fi
if [ "${1:-}" = tests ] && ! has_browser; then
    packages=$(browser_packages)
    # shellcheck disable=SC2086 # options and a package
    if ! install_packages $packages || ! has_browser; then
        # shellcheck disable=SC2086
        echo "flashpoint: no Chromium, so tests of exports can't run; to have it: $(install_command $packages)" >&2
    fi
fi
if [ "${1:-}" = tests ] && ! command -v strace >/dev/null 2>&1 && ! install_packages strace; then
    echo "flashpoint: no strace, so tests of what a replay does can't run; to have it: $(install_command strace)" >&2
fi
exit 0
