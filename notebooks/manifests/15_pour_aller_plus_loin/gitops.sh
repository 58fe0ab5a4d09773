#!/bin/bash
# GitOps en une boucle : chaque seconde, le cluster est ramené à ce que dit le dépôt Git.
# Elle s’arrête seule au bout de deux minutes.
copie=$(mktemp -d)
trap 'rm -rf "$copie"' EXIT
git clone --quiet "$1" "$copie"
while sleep 1 && [ $SECONDS -lt 120 ]; do
  git -C "$copie" pull --quiet
  kubectl apply --filename "$copie" --prune --selector depot=boutique \
    --prune-allowlist apps/v1/Deployment --prune-allowlist core/v1/Service
done
