{"noyau_en_iaas": "le fournisseur"}
