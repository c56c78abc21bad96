import { isJsonObject } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import { add, divide, floorDivide, modulo, multiply, negate } from '../numbers.ts';
import type { Decimal } from '../numbers.ts';
import { FUNCTIONS, METHODS } from './functions.ts';
import { ExpressionError } from './tree.ts';
import type { BinaryOperator, Comparison, Tree } from './tree.ts';
import { areEqual, isTrue, jsonOf, listOf, numberOf, order, shown, spelled, wholeOf } from './values.ts';

/** Steps that one evaluation may take: an answer must not be able to keep the agent busy. */
const MOST_STEPS = 200_000;
/** Items and characters that `+` may join. */
const LONGEST = 1_000_000;

type Names = ReadonlyMap<string, JsonValue>;

/** Applies the expressions of a path one after the other. @throws ExpressionError */
export function evaluate(trees: readonly Tree[], value: JsonValue): JsonValue {
  const evaluator = new Evaluator();
  return trees.reduce((result, tree) => evaluator.of(tree, new Map([['value', result]])), value);
}

class Evaluator {
  #steps = 0;

  of(tree: Tree, names: Names): JsonValue {
    if (++this.#steps > MOST_STEPS) throw new ExpressionError(`the expression takes more than ${MOST_STEPS} steps`);
    switch (tree.kind) {
      case 'literal':
        return tree.value;
      case 'name':
        return lookUp(names, tree.name);
      case 'list':
        return tree.items.map((item) => this.of(item, names));
      case 'dict':
        return new Map(tree.members.map(([key, one]) => [spelled(this.of(key, names)), this.of(one, names)]));
      case 'member':
        return memberOf(this.of(tree.of, names), tree.name);
      case 'index':
        return itemOf(this.of(tree.of, names), this.of(tree.at, names));
      case 'slice':
        return this.#slice(tree, names);
      case 'call':
        return this.#call(tree, names);
      case 'sign':
        return this.#sign(tree, names);
      case 'not':
        return !isTrue(this.of(tree.of, names));
      case 'binary':
        return calculate(tree.operator, this.of(tree.left, names), this.of(tree.right, names));
      case 'compare':
        return this.#compare(tree, names);
      case 'logic': {
        const left = this.of(tree.left, names);
        return isTrue(left) === (tree.operator === 'or') ? left : this.of(tree.right, names);
      }
      case 'if':
        return this.of(isTrue(this.of(tree.condition, names)) ? tree.yes : tree.otherwise, names);
      case 'each':
        return this.#each(tree, names);
    }
  }

  #sign({ negative, of }: Extract<Tree, { kind: 'sign' }>, names: Names): JsonValue {
    const value = this.of(of, names);
    const number = numberOf(value, negative ? '-' : '+');
    return negative ? jsonOf(negate(number)) : value;
  }

  #slice({ of, from, to }: Extract<Tree, { kind: 'slice' }>, names: Names): JsonValue {
    const value = this.of(of, names);
    const bound = (tree: Tree | null): number | undefined => {
      const at = tree === null ? null : this.of(tree, names);
      return at === null ? undefined : wholeOf(at, 'a slice');
    };
    if (typeof value === 'string') return Array.from(value).slice(bound(from), bound(to)).join('');
    return listOf(value, 'a slice').slice(bound(from), bound(to));
  }

  #call({ name, of, args }: Extract<Tree, { kind: 'call' }>, names: Names): JsonValue {
    const callable = (of === null ? FUNCTIONS : METHODS).get(name);
    const given = (of === null ? args : [of, ...args]).map((one) => this.of(one, names));
    const own = of === null ? 0 : 1;
    if (callable === undefined || given.length < callable.fewest || given.length > callable.most) {
      const [fewest, most] = [(callable?.fewest ?? 0) - own, (callable?.most ?? 0) - own];
      const right = fewest === most ? String(fewest) : `${fewest} to ${most}`;
      throw new ExpressionError(`${name} takes ${right} arguments; found ${given.length - own}`);
    }
    return callable.apply(given);
  }

  #compare({ first, rest }: Extract<Tree, { kind: 'compare' }>, names: Names): boolean {
    let left = this.of(first, names);
    for (const [comparison, tree] of rest) {
      const right = this.of(tree, names);
      if (!holds(comparison, left, right)) return false;
      left = right;
    }
    return true;
  }

  #each({ of, variable, body, condition }: Extract<Tree, { kind: 'each' }>, names: Names): JsonValue {
    const value = this.of(of, names);
    const items = isJsonObject(value) ? [...value.keys()] : listOf(value, '"for", filter and map');
    const results: JsonValue[] = [];
    for (const item of items) {
      const inner = new Map([...names, [variable, item]]);
      if (condition === null || isTrue(this.of(condition, inner))) results.push(this.of(body, inner));
    }
    return results;
  }
}

function lookUp(names: Names, name: string): JsonValue {
  const value = names.get(name);
  if (value === undefined) throw new ExpressionError(`the variable "${name}" is used outside of its "for" or lambda`);
  return value;
}

function memberOf(value: JsonValue, name: string): JsonValue {
  const member = isJsonObject(value) ? value.get(name) : undefined;
  if (member === undefined) throw new ExpressionError(`there is no "${name}" in ${shown(value)}`);
  return member;
}

function itemOf(value: JsonValue, at: JsonValue): JsonValue {
  if (isJsonObject(value)) return memberOf(value, spelled(at));
  const items = typeof value === 'string' ? Array.from(value) : listOf(value, 'an index');
  const item = items.at(wholeOf(at, 'an index'));
  const isThere = wholeOf(at, 'an index') >= -items.length && item !== undefined;
  if (!isThere) throw new ExpressionError(`there is no item ${spelled(at)} in ${shown(value)}`);
  return item;
}

function calculate(operator: BinaryOperator, left: JsonValue, right: JsonValue): JsonValue {
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return bounded(left + right);
    if (Array.isArray(left) && Array.isArray(right)) return bounded([...left, ...right]);
    if (typeof left === 'string' || typeof right === 'string') {
      throw new ExpressionError(`+ joins texts only with texts; found ${shown(left)} + ${shown(right)}; use str(...)`);
    }
  }
  return jsonOf(arithmetic(operator, numberOf(left, operator), numberOf(right, operator)));
}

function arithmetic(operator: BinaryOperator, left: Decimal, right: Decimal): Decimal {
  if (operator === '+') return add(left, right);
  if (operator === '-') return add(left, negate(right));
  if (operator === '*') return multiply(left, right);
  if (right.coefficient === 0n) throw new ExpressionError(`${operator} by zero`);
  if (operator === '/') return divide(left, right);
  return operator === '//' ? floorDivide(left, right) : modulo(left, right);
}

function bounded<T extends string | JsonValue[]>(joined: T): T {
  if (joined.length > LONGEST) throw new ExpressionError(`what + makes grows beyond ${LONGEST}`);
  return joined;
}

function holds(comparison: Comparison, left: JsonValue, right: JsonValue): boolean {
  switch (comparison) {
    case '==':
    case 'is':
      return areEqual(left, right);
    case '!=':
    case 'is not':
      return !areEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return order(left, right) < 0;
    case '<=':
      return order(left, right) <= 0;
    case '>':
      return order(left, right) > 0;
    case '>=':
      return order(left, right) >= 0;
  }
}

function contains(whole: JsonValue, part: JsonValue): boolean {
  if (typeof whole === 'string') return whole.includes(spelled(part));
  if (isJsonObject(whole)) return whole.has(spelled(part));
  return listOf(whole, '"in"').some((one) => areEqual(one, part));
}
