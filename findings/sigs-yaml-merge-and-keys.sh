#!/bin/sh
# sigs.k8s.io/yaml, by which kubectl reads manifests: merge keys, and keys that are no text.
#
# Expected: a field that stands beside `<<` wins over what is merged, wherever it stands (yaml.org/type/merge.html, and
# PyYAML); two keys that become the same text in JSON are an error, or one of them wins.
# Seen: a field that stands before `<<` is overwritten by it. Of `1` and `"1"` in one object either may win, from run to
# run, as a Go map is walked; YAMLToJSONStrict finds nothing wrong with them.
# Exits with 1 where this changes.
set -eu
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GOMODCACHE="$work/mod" GOFLAGS=-mod=mod
mkdir "$work/app"
cd "$work/app"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

const merge = "base: &base {image: old}\nmine: {image: new, <<: *base}\n"
const keys = "data: {1: number, \"1\": text}\n"

func main() {
	merged, err := yaml.YAMLToJSON([]byte(merge))
	fmt.Printf("%q -> %s, %v\n", merge, merged, err)
	seen := map[string]int{}
	for range 200 {
		json, err := yaml.YAMLToJSONStrict([]byte(keys))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		seen[string(json)]++
	}
	fmt.Printf("%q, 200 times -> %v\n", keys, seen)
	if string(merged) != `{"base":{"image":"old"},"mine":{"image":"old"}}` || len(seen) != 2 {
		os.Exit(1)
	}
}
GO
cat > go.mod <<'MOD'
module finding

go 1.24

require (
	go.yaml.in/yaml/v2 v2.4.4
	sigs.k8s.io/yaml v1.6.0
)
MOD
go mod tidy 2> log || { cat log; exit 1; }
go version
echo "sigs.k8s.io/yaml $(go list -m -f '{{.Version}}' sigs.k8s.io/yaml)"
go run .
