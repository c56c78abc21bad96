import t from 'tap';
import { csvRow } from './csv.ts';

void t.test('what is not known is empty, the empty text is quoted, and what would break a row is', (t) => {
  t.equal(csvRow([null, undefined, '', 'a', 0, 'a,b', 'a"b', 'a\nb', 'a\rb']), ',,"",a,0,"a,b","a""b","a\nb","a\rb"\n');
  t.end();
});

void t.test('texts that begin as a formula does are kept, or guarded; figures never are', (t) => {
  const texts = ['=1+1', '+1', '-1', '@A1', '\t=1', '\r=1', "'=1", ' =1', -1];
  t.equal(csvRow(texts), '=1+1,+1,-1,@A1,\t=1,"\r=1",\'=1, =1,-1\n');
  t.equal(csvRow(texts, { guardFormulas: true }), "'=1+1,'+1,'-1,'@A1,'\t=1,\"'\r=1\",'=1, =1,-1\n");
  t.equal(csvRow(['-1', '-1'], { guardFormulas: true, isOurs: (i) => i === 1 }), "'-1,-1\n");
  t.end();
});
