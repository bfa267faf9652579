"""Remembering heads, and saying so: what everybody does who looks at a log more than once.

`memory` is for clients, who refuse a log that shows another past. `request`, `state` and `witness` are for cosigners
(C2SP tlog-witness). Nothing here knows the trade, HTTP or a database.
"""
