{"image_en_caas": "le fournisseur"}
