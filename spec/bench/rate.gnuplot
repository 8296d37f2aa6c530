# Rate over concurrency, as an SVG: gnuplot -e "data='FILE'; plot_file='FILE'"
set terminal svg size 760,460 font "sans-serif,13" background "white"
set output plot_file
set datafile missing "?"
set logscale x 2
set xlabel "pauses at a time"
set ylabel "rate (bare C, one after another = 1)"
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set key outside bottom center horizontal
plot for [i=2:7] data using 1:i with linespoints lw 2 pt 7 ps 0.6 title columnheader(i)
