"""The story of one package, played on the real node: what `make demo` shows."""
