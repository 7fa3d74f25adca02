// Generates sdk/wire.gen.ts from chat/proto/**: types only, in the canonical proto3 JSON mapping (camelCase names, 64-bit
// numbers as strings, bytes as base64, enums by name). `--check` fails when the committed file is stale.
// It reads the subset of proto3 that the schema uses and refuses anything else, so that nothing is dropped silently.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const protoRoot = resolve(here, '../../chat/proto')
const target = resolve(here, '../sdk/wire.gen.ts')

const SCALARS = {
  string: 'string', bool: 'boolean', bytes: 'string', double: 'number', float: 'number',
  int32: 'number', uint32: 'number', sint32: 'number', fixed32: 'number',
  int64: 'string', uint64: 'string', sint64: 'string', fixed64: 'string',
}

function tokens(text) {
  const found = []
  const pattern = /\/\/[^\n]*|"[^"]*"|[A-Za-z_][\w.]*|\d+|[{}=;<>[\],]/g
  for (const match of text.matchAll(pattern)) found.push(match[0])
  return found
}

/** Token stream with the comment block directly before each item. */
class Source {
  constructor(text, name) {
    this.list = tokens(text)
    this.at = 0
    this.name = name
    this.doc = []
  }
  peek() {
    while (this.list[this.at]?.startsWith('//')) this.doc.push(this.list[this.at++].slice(2).trim())
    return this.list[this.at]
  }
  next() {
    const token = this.peek()
    this.at += 1
    return token
  }
  expect(wanted) {
    const token = this.next()
    if (token !== wanted) throw new Error(`${this.name}: expected ${wanted}, found ${token}`)
  }
  takeDoc() {
    const doc = this.doc
    this.doc = []
    return doc
  }
}

function parseFile(source, declared) {
  for (let token = source.peek(); token !== undefined; token = source.peek()) {
    if (token === 'message') parseMessage(source, [], declared)
    else if (token === 'enum') parseEnum(source, [], declared)
    else if (['syntax', 'package', 'import'].includes(token)) {
      while (source.next() !== ';');
      source.takeDoc()
    } else throw new Error(`${source.name}: ${token} is not understood`)
  }
}

function parseMessage(source, outer, declared) {
  const doc = source.takeDoc()
  source.expect('message')
  const path = [...outer, source.next()]
  const fields = []
  declared.push({ kind: 'message', path, doc, fields })
  source.expect('{')
  for (let token = source.peek(); token !== '}'; token = source.peek()) {
    if (token === 'enum') parseEnum(source, path, declared)
    else if (token === 'message') parseMessage(source, path, declared)
    else if (token === 'oneof') parseOneof(source, fields)
    else fields.push(parseField(source))
  }
  source.expect('}')
}

function parseOneof(source, fields) {
  source.takeDoc()
  source.expect('oneof')
  const group = source.next()
  source.expect('{')
  while (source.peek() !== '}') fields.push({ ...parseField(source), group })
  source.expect('}')
}

function parseField(source) {
  const doc = source.takeDoc()
  let type = source.next()
  const repeated = type === 'repeated'
  if (repeated) type = source.next()
  const name = source.next()
  source.expect('=')
  source.next()
  source.expect(';')
  return { doc, type, name, repeated }
}

function parseEnum(source, outer, declared) {
  const doc = source.takeDoc()
  source.expect('enum')
  const path = [...outer, source.next()]
  const values = []
  source.expect('{')
  while (source.peek() !== '}') {
    const valueDoc = source.takeDoc()
    const name = source.next()
    source.expect('=')
    source.next()
    source.expect(';')
    values.push({ name, doc: valueDoc })
  }
  source.expect('}')
  declared.push({ kind: 'enum', path, doc, values })
}

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const comment = (doc, indent) => (doc.length ? `${indent}/** ${doc.join(' ')} */\n` : '')

function resolveType(type, from, names) {
  if (SCALARS[type]) return SCALARS[type]
  const parts = type.split('.')
  for (let depth = from.length; depth >= 0; depth -= 1) {
    const candidate = [...from.slice(0, depth), ...parts].join('')
    if (names.has(candidate)) return candidate
  }
  throw new Error(`unknown type ${type} in ${from.join('.')}`)
}

function render(declared) {
  const names = new Set(declared.map((item) => item.path.join('')))
  return declared.map((item) => {
    const name = item.path.join('')
    if (item.kind === 'enum') {
      const values = item.values.map((value) => `'${value.name}'`).join(' | ')
      return `${comment(item.doc, '')}export type ${name} = ${values}\n`
    }
    const fields = item.fields.map((field) => {
      const type = resolveType(field.type, item.path, names) + (field.repeated ? '[]' : '')
      return `${comment(field.doc, '  ')}  ${camel(field.name)}?: ${type}\n`
    })
    return `${comment(item.doc, '')}export interface ${name} {\n${fields.join('')}}\n`
  }).join('\n')
}

const files = readdirSync(protoRoot, { recursive: true }).filter((name) => name.endsWith('.proto')).sort()
const declared = []
for (const file of files) parseFile(new Source(readFileSync(join(protoRoot, file), 'utf8'), file), declared)
const text = `// Generated from chat/proto by scripts/wire.mjs; do not edit. Every field may be absent: proto3 omits defaults.

${render(declared)}`

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(`${relative(process.cwd(), target)} is stale: run npm run proto`)
    process.exit(1)
  }
} else writeFileSync(target, text)
