import type { JsonValue } from '@nephometer/core/plugin';

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'is' | 'is not';

/** What the parser makes of an expression. */
export type Tree =
  | { readonly kind: 'literal'; readonly value: JsonValue }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'dict'; readonly members: readonly (readonly [Tree, Tree])[] }
  | { readonly kind: 'member'; readonly of: Tree; readonly name: string }
  | { readonly kind: 'index'; readonly of: Tree; readonly at: Tree }
  | { readonly kind: 'slice'; readonly of: Tree; readonly from: Tree | null; readonly to: Tree | null }
  | { readonly kind: 'call'; readonly name: string; readonly of: Tree | null; readonly args: readonly Tree[] }
  | { readonly kind: 'sign'; readonly negative: boolean; readonly of: Tree }
  | { readonly kind: 'not'; readonly of: Tree }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'compare'; readonly first: Tree; readonly rest: readonly (readonly [Comparison, Tree])[] }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'if'; readonly condition: Tree; readonly yes: Tree; readonly otherwise: Tree }
  /** `[body for variable in of if condition]`, and what filter and map with a lambda say. */
  | {
      readonly kind: 'each';
      readonly of: Tree;
      readonly variable: string;
      readonly body: Tree;
      readonly condition: Tree | null;
    };

/** An expression is wrong, or cannot be applied to what it is given. */
export class ExpressionError extends Error {
  override name = 'ExpressionError';
}
