"""The facts in PostgreSQL 15 and newer: any number of collectors write them, on as many machines."""
