"""The frame around the pages: header, sidebar, address."""
