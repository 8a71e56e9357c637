#!/bin/sh
# Makes sure that a Vulkan driver is there; on Debian and Ubuntu a software one is installed where none is.
set -u

[ "${RATIONALE_TEST_WITHOUT_GPU:-}" = 1 ] && exit 0
case "$(uname -s)" in Linux) ;; *) exit 0 ;; esac # Metal and DX12 come with the system

driver() {
    for folder in /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/share/vulkan/icd.d /usr/local/nvidia/share/vulkan/icd.d; do
        for file in "$folder"/*.json; do
            [ -e "$file" ] && return 0
        done
    done
    [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]
}

loader() {
    ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1' || ls /usr/lib/*/libvulkan.so.1 >/dev/null 2>&1
}

driver && loader && exit 0
if ! command -v apt-get >/dev/null; then
    echo "No Vulkan driver found. Install one (Mesa's software driver is called lavapipe or vulkan-swrast in most"
    echo "distributions), or run the tests on the CPU alone: RATIONALE_TEST_WITHOUT_GPU=1 make test"
    exit 1
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "Installing a software Vulkan driver (mesa-vulkan-drivers, libvulkan1) …"
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq mesa-vulkan-drivers libvulkan1; } >/tmp/ensure_vulkan.$$ 2>&1; then
    tail -5 /tmp/ensure_vulkan.$$
    echo "The driver could not be installed. Install mesa-vulkan-drivers and libvulkan1 by hand, or run the tests on"
    echo "the CPU alone: RATIONALE_TEST_WITHOUT_GPU=1 make test"
    exit 1
fi
rm -f /tmp/ensure_vulkan.$$
