"""People, their sessions, and the bearer tokens of systems and devices: who may come in, and as what.

`service` is people and signing in, `sessions` what they hold while they are in, `tokens` the machines. `rules` is pure.
"""
