# Installing system packages without asking anybody anything. Sourced by the other scripts.

# Run a command as root if we are root or may become it silently; fail otherwise.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# install_packages NAME...: succeeds when all of them are installed.
install_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >/dev/null 2>&1 && return 0
        as_root apt-get update -q >/dev/null 2>&1 || return 1
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >/dev/null 2>&1
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -y -q "$@" >/dev/null 2>&1
    elif command -v pacman >/dev/null 2>&1; then
        as_root pacman -S --noconfirm --needed "$@" >/dev/null 2>&1
    else
        return 1
    fi
}

# The package that brings perf here.
perf_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        if grep -qi '^ID=ubuntu' /etc/os-release 2>/dev/null; then
            echo "linux-tools-common linux-tools-$(uname -r)"
        else
            echo linux-perf
        fi
    else
        echo perf
    fi
}

# The package that brings Chromium here, without what it needs on a desktop only.
browser_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        echo "--no-install-recommends chromium"
    else
        echo chromium
    fi
}

# Succeeds where there is a Chromium that starts: Ubuntu has a chromium-browser that is none.
has_browser() {
    for name in chromium chromium-browser google-chrome-stable google-chrome chrome; do
        "$name" --version >/dev/null 2>&1 && return 0
    done
    return 1
}

# Say what to type, for a user who may do it.
install_command() {
    if command -v apt-get >/dev/null 2>&1; then
        echo "sudo apt-get install $*"
    elif command -v dnf >/dev/null 2>&1; then
        echo "sudo dnf install $*"
    elif command -v pacman >/dev/null 2>&1; then
        echo "sudo pacman -S $*"
    else
        echo "your package manager, for: $*"
    fi
}
