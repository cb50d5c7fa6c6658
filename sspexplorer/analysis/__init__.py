"""What pages, notebooks and the command line compute: tables in, tables out, nothing drawn."""
