"""Witnesses: cosigning other logs' heads, and having this log's heads cosigned."""
