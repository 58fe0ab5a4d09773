{"vignettes": "Machine virtuelle"}
