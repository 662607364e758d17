"""Reference pages that follow from the code: `make reference` writes them, `make check` compares them."""
