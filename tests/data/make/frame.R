# Makes one frame with every kind of column in every form that R writes.
#   Rscript frame.R FOLDER     needs haven, hms, bit64, data.table
folder <- commandArgs(TRUE)[1]
n <- 50
some <- function(...) rep_len(c(...), n)
tagged <- haven::tagged_na
d <- data.frame(
  i = c(1:48, NA, -7L), d = c(seq(0.1, 9, length.out = 45), NA, NaN, Inf, -Inf, -0),
  l = some(TRUE, FALSE, NA), s = some("", "a b\nc\"\\\t", NA, "\u65e5\u672c", "e\u0301", "x"),
  stringsAsFactors = FALSE)
d$f <- factor(some("lo", "hi", NA), levels = c("lo", "hi", "never"))
d$o <- factor(some("a", "b"), levels = c("b", "a"), ordered = TRUE)
d$date <- as.Date("2020-01-01") + c(0:48, NA)
d$dateint <- structure(c(0L, NA, rep(-1L, 48)), class = "Date")
d$ct <- as.POSIXct(c(1e9 + 0:48 / 4, NA), origin = "1970-01-01", tz = "Europe/Berlin")
d$utc <- as.POSIXct(c(-1e9 + 0:48 / 4, NA), origin = "1970-01-01", tz = "UTC")
d$loc <- as.POSIXct(c(1e9 + 0:48, NA), origin = "1970-01-01")
d$lt <- as.POSIXlt(d$ct)
d$dt <- as.difftime(c(1:49, NA), units = "hours")
d$hms <- hms::as_hms(c(1:49 * 100.25, NA))
d$lab <- haven::labelled(c(1, 2, tagged("a"), tagged("z"), NA, rep(1, 45)),
                         c(yes = 1, no = 2, refused = tagged("a")), label = "Question 1")
d$labs <- haven::labelled_spss(some(1, 2, 9), c(yes = 1, no = 2, miss = 9), na_values = 9,
                               na_range = c(90, Inf), label = "Question 2")
attr(d$labs, "format.spss") <- "F8.2"; attr(d$labs, "display_width") <- 10L
d$labi <- haven::labelled(c(1:49, NA), c(one = 1L))
d$labc <- haven::labelled_spss(some("m", "f", "x"), c(male = "m", unknown = "x"), na_values = "x")
d$seq <- 1:n
d$deferred <- as.character(1:n)
d$numbers <- as.character(some(1e5, 123456.7, 0.1, 1e-20, 1/3, 1e15, 123456789012345678, -1.5))
d$asis <- I(some("p", "q"))
latin <- "\xe4\xf6\x80"; Encoding(latin) <- "latin1"; d$latin1 <- rep(latin, n)
bytes <- "\xff"; Encoding(bytes) <- "bytes"; d$bytes <- rep(bytes, n)
d$i64 <- bit64::as.integer64(c("9007199254740993", rep("-5", 48), NA))
for (v in 2:3) {
  for (how in c("gzip", "bzip2", "xz"))
    save(d, file = sprintf("%s/save-%d-%s.RData", folder, v, how), version = v, compress = how)
  saveRDS(d, sprintf("%s/xdr-%d.rds", folder, v), compress = FALSE, version = v)
  writeBin(serialize(d, NULL, xdr = FALSE, version = v), sprintf("%s/native-%d.rds", folder, v))
  d$i64 <- NULL  # R itself loses these as text
  saveRDS(d, sprintf("%s/ascii-%d.rds", folder, v), ascii = TRUE, version = v)
  saveRDS(d, sprintf("%s/plain-%d.rds", folder, v), ascii = TRUE, version = v, compress = FALSE)
  save(d, file = sprintf("%s/hex-%d.rda", folder, v), ascii = NA, version = v)
  d$i64 <- bit64::as.integer64(c("9007199254740993", rep("-5", 48), NA))
}
tibble <- tibble::as_tibble(d); saveRDS(tibble, file.path(folder, "tibble.rds"))
dt <- data.table::as.data.table(d[setdiff(names(d), c("lt", "asis"))])
saveRDS(dt, file.path(folder, "datatable.rds"))
# What is no table, and what a frame may carry along: nothing of it is run.
f <- compiler::cmpfun(function(x, y = 2) {
  for (i in 1:10) { x <- x + y; g <- function(q) if (q > 1) q else -q }
  lapply(1:3, g)
})
f(1); f(2)
e <- new.env(); assign("self", e, e); assign("f", f, e)
setClass("P", representation(x = "numeric")); s4 <- new("P", x = 1)
af <- data.frame(a = 1:3)
attr(af, "spec") <- list(f, e, quote(a + b), y ~ x, globalenv(), emptyenv(), asNamespace("stats"),
                         e, s4, as.name("name"), sum, expression(p, q(r)))
save(f, e, s4, af, file = file.path(folder, "exotic-3.RData"))
save(f, e, s4, af, file = file.path(folder, "exotic-2.RData"), version = 2)
