#!/usr/bin/env bash
# Proves the README's two commands on a bare Debian: a new root with Python and nothing else, removed afterwards.
set -euo pipefail

usage() {
    cat <<'TEXT'
installers/prove_bare.sh [--user] [--first] [--ci] [--bind PATH]... [--pass NAME]...

As root, on Linux, with debootstrap.

Makes a bare Debian root in a temporary folder, clones this repository's HEAD into it, runs the two commands of the
README there, the first of them once more without pseudo-terminals, and prints how long each took. Ends with 1 when one
of them failed.

  --user       run them as a user who may not install packages: shows that what is missing is named in one command,
               runs that command as root, and then both commands again as the user
  --first      run the first command only, not the tests
  --ci         run .ci/run as well, as root
  --bind PATH  show PATH of this machine inside the root, read-only (certificates, a folder of wheels, pip's settings)
  --pass NAME  pass this environment variable on (a proxy, PIP_INDEX_URL, ...)

Environment: DEBIAN_MIRROR (default: debootstrap's own), DEBIAN_SUITE (default: bookworm), TMPDIR.
TEXT
}

options=("$@") binds=() passed=() as_user=false with_tests=true with_ci=false
while [ $# -gt 0 ]; do
    case "$1" in
        --bind) binds+=("$2"); shift 2 ;;
        --pass) passed+=("$2"); shift 2 ;;
        --user) as_user=true; shift ;;
        --first) with_tests=false; shift ;;
        --ci) with_ci=true; shift ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

clone_inside=/srv/labrig

mount_into_root() { # everything mounted here ends with the mount namespace of this process
    mkdir -p "$root/proc"
    mount -t proc proc "$root/proc"
    mkdir -p "$root/dev/pts" # terminals, as any system has them; the last run is made without
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    rm -f "$root/dev/ptmx" && ln -s pts/ptmx "$root/dev/ptmx"
    local path
    for path in /etc/resolv.conf "${binds[@]}"; do
        if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root$(dirname "$path")" && touch "$root$path"; fi
        mount --bind "$path" "$root$path"
        mount -o remount,bind,ro "$root$path"
    done
}

inside() { # inside ACCOUNT COMMAND...: run in the root, with a clean environment and no terminal
    local account=$1 name settings=()
    shift
    for name in "${passed[@]}"; do
        [ -n "${!name+set}" ] && settings+=("$name=${!name}")
    done
    local home=/root
    [ "$account" = root ] || home="/home/$account"
    chroot --userspec="$account:$account" "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LANG=C.UTF-8 \
        "${settings[@]}" sh -c "cd $clone_inside && $*" </dev/null
}

figures=() failures=0
timed() { # timed ACCOUNT COMMAND...
    local account=$1 started ended code=0
    shift
    printf '\n== %s# %s\n' "$account" "$*"
    started=$(date +%s%N)
    inside "$account" "$*" || code=$?
    ended=$(date +%s%N)
    figures+=("$(printf '%8.2f s  exit %-3d  %-10s %s' "$(((ended - started) / 10000000))e-2" "$code" "$account" "$*")")
    printf '== %s\n' "${figures[-1]}"
    return "$code"
}

expect_success() { timed "$@" || failures=$((failures + 1)); }

both_commands() { # both_commands ACCOUNT: and what the set-up costs when there is nothing to do
    expect_success "$1" python3 installers/launch.py
    "$with_tests" || return 0
    expect_success "$1" python3 installers/launch.py test
    expect_success "$1" python3 installers/launch.py test --version
}

prove_as_user() {
    local said command
    chroot "$root" useradd --create-home --user-group technician
    chroot "$root" chown -R technician:technician "$clone_inside"
    said=$(timed technician python3 installers/launch.py 2>&1) && { echo "expected to be asked for packages"; return 1; }
    echo "$said"
    command=$(grep -oE "su -c '[^']+'" <<<"$said")
    expect_success root "$command"
    both_commands technician
}

prove() {
    set +e
    mount_into_root || exit 1
    git clone --quiet --no-hardlinks "$repository" "$root$clone_inside" || exit 1
    if "$as_user"; then prove_as_user || failures=$((failures + 1)); else both_commands root; fi
    "$with_ci" && expect_success root CI=true bash .ci/run
    umount "$root/dev/pts"
    expect_success "$("$as_user" && echo technician || echo root)" python3 installers/launch.py
    printf '\n== figures (%s, Python %s, %s CPUs, commit %s)\n' "$(. "$root/etc/os-release" && echo "$PRETTY_NAME")" \
        "$(inside root python3 -c "'import platform; print(platform.python_version())'")" "$(nproc)" \
        "$(git -C "$repository" rev-parse --short HEAD)"
    printf '%s\n' "${figures[@]}"
    printf '%8s     in .venv\n' "$(du -sh "$root$clone_inside/.venv" | cut -f1)"
    exit "$((failures > 0))"
}

if [ -n "${LABRIG_PROVE_ROOT:-}" ]; then
    root=$LABRIG_PROVE_ROOT
    repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    DEBIAN_MIRROR=${DEBIAN_MIRROR:-}
    # shellcheck disable=SC2086  # an empty mirror is no argument
    debootstrap --variant=minbase --include=ca-certificates,python3 "${DEBIAN_SUITE:-bookworm}" "$root" $DEBIAN_MIRROR \
        >"$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
    prove
fi

[ "$(id -u)" -eq 0 ] || { echo "prove_bare: a new root can only be made by root" >&2; exit 2; }
command -v debootstrap >/dev/null || PATH=$PATH:/usr/sbin
command -v debootstrap >/dev/null || { echo "prove_bare: install debootstrap first" >&2; exit 2; }

# The work is done in namespaces of its own: whatever is mounted or started there is gone when it ends, even by kill -9,
# and none of it is ever visible to the removal below.
folder=$(mktemp -d)
mkdir "$folder/root"
trap 'rm -rf --one-file-system -- "$folder"' EXIT
LABRIG_PROVE_ROOT="$folder/root" unshare --mount --pid --fork --kill-child --propagation private \
    bash "${BASH_SOURCE[0]}" "${options[@]}"
