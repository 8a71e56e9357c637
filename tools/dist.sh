#!/bin/sh
# Packs the program for others: the binary, completions, manual pages, our licences and those of all that is in it.
#   sh tools/dist.sh PROGRAM     writes dist/rationale-<version>-<target>.tar.gz and its SHA-256
set -eu

program=$1
target=$(rustc -vV | sed -n 's/^host: //p')
version=$("$program" --version | cut -d ' ' -f 2)
name="rationale-$version-$target"
rm -rf "dist/$name"
mkdir -p "dist/$name/completions"

cp "$program" README.md LICENSE-APACHE LICENSE-MIT "dist/$name/"
strip "dist/$name/rationale" 2>/dev/null || echo "strip is missing: the binary keeps its line tables"
"$program" completions bash >"dist/$name/completions/rationale.bash"
"$program" completions fish >"dist/$name/completions/rationale.fish"
"$program" completions powershell >"dist/$name/completions/rationale.ps1"
"$program" completions zsh >"dist/$name/completions/_rationale"
"$program" manual --to "dist/$name/man" 2>/dev/null

# The crates in the binary, each with its licence; then every text once, under the crates it belongs to.
texts=$(mktemp -d)
trap 'rm -rf "$texts"' EXIT
crates="$texts/crates"
cargo tree --package rationale --edges normal --prefix none --format '{p}|{l}' | sed 's/ (proc-macro)//; s/ (\*)//' \
    | grep -v '^rationale \|^$' | sort -u >"$crates"
cargo metadata --format-version 1 --filter-platform "$target" \
    | grep -o '"manifest_path":"[^"]*"' | cut -d '"' -f 4 | sort -u >"$texts/manifests"
while IFS='|' read -r crate licence; do
    plain=$(echo "$crate" | sed 's/ v/-/; s/ .*//')
    folder=$(grep "/$plain/Cargo.toml\$" "$texts/manifests" | head -n 1 | sed 's/\/Cargo.toml$//')
    found=no
    for file in $(find "${folder:-/nowhere}" -maxdepth 2 -type f 2>/dev/null \
        | grep -Ei '/(licen[sc]e|copying|notice|unlicense|ofl|ufl|copyright)[^/]*$' | grep -v '\.rs$' | sort); do
        sum=$(cksum <"$file" | cut -d ' ' -f 1)
        [ -e "$texts/$sum.text" ] || cp "$file" "$texts/$sum.text"
        echo "$crate ($licence)" >>"$texts/$sum.crates"
        found=yes
    done
    [ $found = yes ] || echo "$crate ($licence)" >>"$texts/without"
done <"$crates"
{
    echo "What else is in this binary, and its licences. $(wc -l <"$crates" | tr -d ' ') crates."
    for text in "$texts"/*.text; do
        printf '\n%s\n' "================================================================================"
        sort -u "${text%.text}.crates"
        printf '%s\n\n' "--------------------------------------------------------------------------------"
        cat "$text"
    done
    if [ -e "$texts/without" ]; then
        printf '\n%s\n' "================================================================================"
        echo "These carry no text of their own; the licence is the one they name:"
        sort -u "$texts/without"
    fi
} >"dist/$name/THIRD-PARTY.txt"

tar -C dist -czf "dist/$name.tar.gz" "$name"
(cd dist && { sha256sum "$name.tar.gz" || shasum -a 256 "$name.tar.gz"; } >"$name.tar.gz.sha256" 2>/dev/null)
rm -rf "dist/$name"
du -h "dist/$name.tar.gz"
