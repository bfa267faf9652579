"""Transaction information and statements (DSCSA): assembled, shown to their parties, and written in partners' forms."""
