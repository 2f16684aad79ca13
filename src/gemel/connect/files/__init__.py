"""CSV and Parquet files: read as they are, merged by time, as a source of their own or for a replay."""

from gemel.connect.files.connector import FilesConnector
from gemel.connect.files.merge import Files
from gemel.connect.files.table import TIME, FileOptions, FileTable, read_file

__all__ = ["TIME", "FileOptions", "FileTable", "Files", "FilesConnector", "read_file"]
