#!/bin/sh
# Build k6 2.x from its Go module, for the tests that need it, and print the path of the binary.
# It is kept by its version, so only the first call takes its time: about five minutes on two cores.
# K6_VERSION names another version. Ends with 3 where there is no Go, with 1 where the build fails.
set -u
PINNED=v2.2.0

say() {
    echo "build-k6: $*" >&2
}

version=${K6_VERSION:-$PINNED}
version=v${version#v}
case $version in
    *[!0-9A-Za-z.+-]* | v[!0-9]* | v)
        say "$version is no version of k6"
        exit 1
        ;;
    v0.* | v1.*) module=go.k6.io/k6 ;;
    *) module=go.k6.io/k6/${version%%.*} ;;
esac

folder=${XDG_CACHE_HOME:-${HOME:?}/.cache}/flashpoint/k6/$version
binary=$folder/k6
new=$folder/new.$$  # a folder: k6 calls itself what its file is called
work=

finish_if_built() {
    if [ -x "$binary" ]; then
        echo "$binary"
        exit 0
    fi
}

clean_up() {
    rm -rf "$new"
    [ -z "$work" ] || rm -rf "$work"
}

finish_if_built
if ! command -v go >/dev/null 2>&1; then
    say "no Go, so k6 $version can't be built; see go.dev/doc/install"
    exit 3
fi
mkdir -p "$folder" || exit 1

# Who comes second waits for the first, and finds its binary.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$folder/lock"
    flock 9
    finish_if_built
fi

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d) || exit 1

# `go install module@version` asks the module's own domain whether it is deprecated, which may not
# be reached where a proxy is; a module of our own that requires k6 needs the proxy only. The import
# makes k6's own requirements ours.
cat >"$work/go.mod" <<END
module k6build

go 1.25.0

require $module $version
END
cat >"$work/k6build.go" <<END
package k6build

import _ "$module/cmd"
END

# The user's own proxies, without the way around them.
proxies=$(go env GOPROXY | sed 's/[,|]direct$//')

# With 9 closed no child of go's can hold the lock when we are gone.
build() (
    cd "$work" || exit 1
    GOPROXY=$proxies GOTOOLCHAIN=local GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0 \
        go build -trimpath -ldflags "-s -w" -o "$new/k6" "$module" 9>&-
)

say "building k6 $version, about five minutes"
if ! build >"$work/log" 2>&1; then
    say "k6 $version could not be built; go's last lines:"
    tail -n 10 "$work/log" >&2
    exit 1
fi
case $("$new/k6" version 2>&1) in
    "k6 $version" | "k6 $version "*) ;;
    *)
        say "what was built does not answer as k6 $version"
        exit 1
        ;;
esac
mv "$new/k6" "$binary" || exit 1
finish_if_built
