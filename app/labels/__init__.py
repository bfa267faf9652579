"""Labels for packages, cases and pallets: GS1 DataMatrix, GS1-128 and Digital Link QR, as PNG and SVG.

No label leaves without having been read back: see `app.labels.service`.
"""
