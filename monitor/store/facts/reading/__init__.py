"""Reading facts out of tables, whatever the SQL database: each brings only its statements."""
