"""DDI Codebook: building, parsing and validating."""
