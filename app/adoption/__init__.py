"""Events that were told before their time: what waits, and a person's word that it was right."""
