#!/usr/bin/env bash
# Prints the Go that builds the Go clients: the machine's own where it is new enough for them, else a pinned toolchain of the Go
# module proxy, fetched once. Debian 12's own (1.19) cannot even read their go.mod.
set -euo pipefail
cache=${1:?where toolchains are kept}
wanted=1.26.0

own=$(go env GOVERSION 2>/dev/null || true)
if [ -n "$own" ] && [ "$(printf '%s\n' "$wanted" "${own#go}" | sort -V | head -1)" = "$wanted" ]; then
    command -v go
    exit
fi
case $(uname -m) in
x86_64) arch=amd64 sum=38461905b98c59173672814302e222ab43b652274bc0c95817b08b71ab66b705 ;;
aarch64) arch=arm64 sum=4c3f961bc257ff52e7a425166f9f75015f645dff071d01a81823455ffe646609 ;;
*) echo "go.sh: no Go toolchain is pinned for $(uname -m)" >&2 && exit 1 ;;
esac
dir=$cache/go-$wanted
if [ ! -d "$dir" ]; then
    new=$(mktemp -d "$cache/.new-toolchain-XXXXXX")
    trap 'rm -rf "$new"' EXIT
    proxy=${GOPROXY:-https://proxy.golang.org}
    url=${proxy%%[,|]*}/golang.org/toolchain/@v/v0.0.1-go$wanted.linux-$arch.zip
    python3 - "$url" "$new/go.zip" <<'PY'
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer, open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(answer, out)
PY
    echo "$sum  $new/go.zip" | sha256sum --check --quiet >&2
    python3 -m zipfile -e "$new/go.zip" "$new"
    # The archive does not say what may be executed.
    chmod +x "$new"/golang.org/toolchain@*/bin/* "$new"/golang.org/toolchain@*/pkg/tool/*/*
    mv "$new"/golang.org/toolchain@* "$dir"
fi
echo "$dir/bin/go"
