"""A small living supply chain: companies, weeks of trade, delays, errors and frauds, played against a real node."""
