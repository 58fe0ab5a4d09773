kubectl patch secret acces -p '{"stringData": {"mot-de-passe": "mirabelle-4821"}}'
