{"exemplaires_en_paas": "le fournisseur"}
