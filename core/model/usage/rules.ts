/**
 * Edition of the rules by which facts become figures; test/vectors/usage/README.md has them. It is raised with every change that
 * may give the same facts another figure. A statement tells the edition that it was closed by.
 */
export const USAGE_RULES = 1;
