// `npm run edgeward -- VERB …`: the command line of `cli/`, on a Node that is new enough.
import "../cli/edgeward.mjs";
