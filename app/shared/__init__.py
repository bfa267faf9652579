"""What every feature needs and none owns: the time, identifiers, who acts, the audit trail."""
