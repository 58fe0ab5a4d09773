#!/bin/sh
# sigs.k8s.io/yaml, by which kubectl and the API server read manifests, and what follows the first document.
#
# Expected: text that is not YAML is an error, above all from the strict functions.
# Seen: where the first line is indented and a later one is not, the document ends there, and everything after it is
# dropped without a word, by YAMLToJSONStrict and UnmarshalStrict too; the same after a line `...`. A manifest pasted with
# one space too many before its first line loses all its other fields.
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

func main() {
	for _, text := range []string{" kind: ConfigMap\nmetadata:\n  name: a\n", "kind: ConfigMap\n...\nmetadata:\n  name: a\n"} {
		json, err := yaml.YAMLToJSONStrict([]byte(text))
		var plain map[string]any
		unmarshalErr := yaml.UnmarshalStrict([]byte(text), &plain)
		fmt.Printf("%q -> %s, errors: %v, %v\n", text, json, err, unmarshalErr)
		if err != nil || unmarshalErr != nil || string(json) != `{"kind":"ConfigMap"}` {
			os.Exit(1)
		}
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
