//! Fuzz targets and their replay.
